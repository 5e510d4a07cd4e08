package io.lensflow.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The dependency arrows between modules, as {@code docs/architecture.md} draws them. */
@AnalyzeClasses(packages = "io.lensflow", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String SCHEMAS = "io.lensflow.schemas..";
  private static final String RECORDS = "io.lensflow.records..";
  private static final String SERVICE = "io.lensflow.service..";
  private static final String HUB = "io.lensflow.hub..";
  private static final String TEXT = "io.lensflow.text..";
  private static final String CLIENT = "io.lensflow.client..";
  private static final String ENGINE = "io.lensflow.engine..";
  private static final String WORKER = "io.lensflow.worker..";
  private static final String DECODER = "io.lensflow.decoder..";
  private static final String STEERING = "io.lensflow.steering..";
  private static final String INGEST = "io.lensflow.ingest..";
  private static final String PLATFORM = "io.lensflow.platform..";

  @ArchTest static final ArchRule schemasStandAlone = only(SCHEMAS, RECORDS);

  @ArchTest static final ArchRule recordsStandAlone = only(RECORDS, SCHEMAS);

  @ArchTest static final ArchRule hubStandsAlone = only(HUB);

  @ArchTest static final ArchRule textStandsAlone = only(TEXT);

  @ArchTest static final ArchRule platformKnowsSchemas = only(PLATFORM, SCHEMAS, RECORDS);

  @ArchTest static final ArchRule serviceKnowsSchemas = only(SERVICE, SCHEMAS, RECORDS);

  @ArchTest static final ArchRule clientKnowsSchemas = only(CLIENT, SCHEMAS, RECORDS);

  @ArchTest static final ArchRule engineKnowsText = only(ENGINE, TEXT);

  @ArchTest
  static final ArchRule workerKnowsTheEngine =
      only(WORKER, SCHEMAS, RECORDS, SERVICE, HUB, ENGINE, TEXT);

  @ArchTest
  static final ArchRule decoderKnowsTheEngine =
      only(DECODER, SCHEMAS, RECORDS, SERVICE, HUB, ENGINE, TEXT);

  @ArchTest
  static final ArchRule steeringKnowsTheClient =
      only(STEERING, SCHEMAS, RECORDS, SERVICE, CLIENT, HUB, TEXT);

  @ArchTest
  static final ArchRule ingestKnowsTheClient =
      only(INGEST, SCHEMAS, RECORDS, SERVICE, CLIENT, TEXT);

  /** A service that started its own broker would not be one that runs anywhere. */
  @ArchTest
  static final ArchRule onlyTheCommandLineRunsThePlatform =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              PLATFORM, "io.lensflow.cli..", "io.lensflow.testkit..", "io.lensflow.bench..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(PLATFORM);

  @ArchTest
  static final ArchRule theEngineIsALibrary =
      noClasses()
          .that()
          .resideInAPackage(ENGINE)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.kafka..", "akka..", "org.apache.avro..");

  @ArchTest
  static final ArchRule textNeverLoadsWeights =
      noClasses()
          .that()
          .resideInAPackage(TEXT)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("ai.djl.pytorch..", "ai.djl.engine..");

  /** It opens connections to where it is told: what it needs for that is the JDK and JSON. */
  @ArchTest
  static final ArchRule theHubNeedsLittle =
      classes()
          .that()
          .resideInAPackage(HUB)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(HUB, "java..", "com.fasterxml.jackson..", "org.slf4j..");

  @ArchTest
  static final ArchRule packagesAreNamedByConcept =
      noClasses()
          .should()
          .resideInAnyPackage("..util..", "..utils..", "..impl..", "..common..", "..helper..");

  /** Of our own modules only these; others' libraries are Maven's business. */
  private static ArchRule only(String module, String... allowed) {
    String[] all = java.util.Arrays.copyOf(allowed, allowed.length + 1);
    all[allowed.length] = module;
    DescribedPredicate<JavaClass> ours = JavaClass.Predicates.resideInAPackage("io.lensflow..");
    DescribedPredicate<JavaClass> permitted = JavaClass.Predicates.resideInAnyPackage(all);
    return classes()
        .that()
        .resideInAPackage(module)
        .should()
        .onlyDependOnClassesThat(DescribedPredicate.not(ours).or(permitted))
        .as(module + " depends on " + String.join(", ", all) + " alone of our modules");
  }
}
