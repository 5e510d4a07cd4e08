package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.Progress;
import io.lensflow.cli.system.SystemPlan;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Builds on the demo model from the command line, through the whole system. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VectorBuildIT {
  @TempDir private static Path folder;

  private final ObjectMapper mapper = new ObjectMapper();
  private LocalSystem system;

  @BeforeAll
  void start() throws Exception {
    system =
        new LocalSystem(
            SystemPlan.embedded(
                Checkout.path("demo-model"),
                "lensflow-demo",
                "float32",
                folder.resolve("system"),
                Map.of()),
            Progress.SILENT);
    system.start();
  }

  @AfterAll
  void stop() {
    if (system != null) {
      system.close();
    }
  }

  /** The shipped vector was built from the same items in Python, with transformers. */
  @Test
  void shouldAgreeWithTheShippedVectorWhenBuiltFromTheSameItems() throws Exception {
    Path built = folder.resolve("built.json");
    String printed =
        vectors(
            0,
            "build",
            "risk",
            "--layer",
            "4",
            "--train",
            "0-99",
            "--out",
            built.toString(),
            "--data",
            Checkout.path("demo-model/data/risk-taking.jsonl").toString(),
            "--format",
            "chat");
    assertThat(printed).contains("risk (not published)", "22.4", "0.006");

    JsonNode site = mapper.readTree(built.toFile()).path("sites").get(0);
    JsonNode shipped =
        mapper.readTree(Checkout.path("demo-model/vectors/risk-taking.json").toFile());
    assertThat(site.path("layer")).isEqualTo(shipped.path("layer"));
    assertThat(site.path("hookPoint")).isEqualTo(shipped.path("hookPoint"));
    double[] ours = mapper.treeToValue(site.path("values"), double[].class);
    double[] theirs = mapper.treeToValue(shipped.path("values"), double[].class);
    assertThat(dot(ours, theirs) / Math.sqrt(dot(ours, ours) * dot(theirs, theirs)))
        .isCloseTo(1, within(1e-5));

    vectors(0, "publish", built.toString());
    assertThat(vectors(0, "history", "risk", "--model", "lensflow-demo"))
        .contains("\"dataset\" : \"risk-taking\"", "\"pairCount\" : 100");
  }

  @Test
  void shouldLeaveOutTheLayerWhereOnlyLettersDifferAndListTheJob() {
    String printed =
        vectors(
            0,
            "build",
            "all",
            "--layer",
            "0,4",
            "--method",
            "logistic",
            "--train",
            "100-109",
            "--data",
            Checkout.path("demo-model/data/honesty.jsonl").toString(),
            "--format",
            "plain");
    assertThat(printed)
        .contains("all@1 of lensflow-demo: LOGISTIC of 10 items of honesty (100-109, plain)")
        .contains("warning: ATTENTION_INPUT of layer 0 is left out");
    assertThat(vectors(0, "jobs", "list")).containsPattern("build +succeeded +10 / 10 .*all of");
    assertThat(
            vectors(
                1,
                "build",
                "none",
                "--layer",
                "0",
                "--train",
                "100-109",
                "--data",
                Checkout.path("demo-model/data/honesty.jsonl").toString(),
                "--format",
                "plain"))
        .isEmpty();
  }

  private String vectors(int status, String command, String... arguments) {
    List<String> all = new ArrayList<>(List.of("vectors", command));
    List<String> given = new ArrayList<>(List.of(arguments));
    if (command.equals("jobs")) {
      all.add(given.remove(0));
    }
    all.addAll(List.of("--url", system.steeringUri().toString()));
    all.addAll(given);
    PrintStream original = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.run(all.toArray(String[]::new))).isEqualTo(status);
    } finally {
      System.setOut(original);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
