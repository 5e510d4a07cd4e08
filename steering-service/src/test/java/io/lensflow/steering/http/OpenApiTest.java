package io.lensflow.steering.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.steering.build.BuildKind;
import io.lensflow.steering.build.BuildRequest;
import io.lensflow.steering.evaluate.EvaluateKind;
import io.lensflow.steering.evaluate.EvaluateRequest;
import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.job.JobDesk;
import io.lensflow.steering.job.JobKind;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The description that is served says what is really there. */
class OpenApiTest {
  private JsonNode openApi;

  @BeforeEach
  void read() throws IOException {
    try (InputStream in = getClass().getResourceAsStream("/openapi-steering.json")) {
      openApi = new ObjectMapper().readTree(in);
    }
  }

  @Test
  void shouldDescribeExactlyTheRoutesThatAreServed() {
    List<String> described = new ArrayList<>();
    openApi
        .get("paths")
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .fieldNames()
                    .forEachRemaining(
                        method -> described.add(method.toUpperCase() + " " + path.getKey())));
    List<JobKind> kinds =
        List.of(
            new BuildKind(null, null, null, null),
            new EvaluateKind(null, null, null, null, null, null, null));
    JobDesk desk = new JobDesk(null, null, null, null, kinds, null);
    List<String> served =
        new SteeringRoutes(
                new SteeringRoutes.Parts(
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    desk,
                    null,
                    1,
                    1,
                    BearerTokens.of("", "")))
            .routes().stream().map(route -> route.method() + " " + route.path()).toList();
    assertThat(described).containsExactlyInAnyOrderElementsOf(served);
  }

  @Test
  void shouldDescribeExactlyTheFieldsThatBodiesHave() {
    assertThat(properties("Publish")).containsExactlyInAnyOrderElementsOf(of(PublishBody.class));
    assertThat(properties("PublishSite"))
        .containsExactlyInAnyOrderElementsOf(of(PublishBody.SiteBody.class));
    assertThat(properties("SetAlias")).containsExactlyInAnyOrderElementsOf(of(AliasBody.class));
    assertThat(properties("Rollback")).containsExactlyInAnyOrderElementsOf(of(RollbackBody.class));
    assertThat(properties("Combine")).containsExactlyInAnyOrderElementsOf(of(CombineBody.class));
    assertThat(properties("CombineTerm"))
        .containsExactlyInAnyOrderElementsOf(of(CombineBody.Term.class));
    assertThat(properties("SetPolicy")).containsExactlyInAnyOrderElementsOf(of(PolicyBody.class));
    assertThat(properties("RollbackPolicy"))
        .containsExactlyInAnyOrderElementsOf(of(PolicyRollbackBody.class));
    assertThat(properties("Build")).containsExactlyInAnyOrderElementsOf(of(BuildRequest.class));
    assertThat(properties("Evaluate"))
        .containsExactlyInAnyOrderElementsOf(of(EvaluateRequest.class));
    assertThat(properties("Evaluation")).containsExactlyInAnyOrderElementsOf(of(Evaluation.class));
  }

  @Test
  void shouldDefineEverythingThatItRefersTo() {
    assertThat(openApi.findValuesAsText("$ref"))
        .isNotEmpty()
        .allSatisfy(
            ref -> assertThat(openApi.at(ref.substring(1)).isMissingNode()).as(ref).isFalse());
  }

  @Test
  void shouldDescribeEveryParameterOfAPath() {
    openApi
        .get("paths")
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .forEach(
                        operation ->
                            assertThat(operation.at("/parameters").findValuesAsText("$ref"))
                                .containsAll(parametersOf(path.getKey()))));
  }

  private static List<String> parametersOf(String path) {
    return Arrays.stream(path.split("/"))
        .filter(part -> part.startsWith("{"))
        .map(part -> "#/components/parameters/" + part.substring(1, part.length() - 1))
        .toList();
  }

  private List<String> properties(String schema) {
    List<String> names = new ArrayList<>();
    openApi
        .at("/components/schemas/" + schema + "/properties")
        .fieldNames()
        .forEachRemaining(names::add);
    return names;
  }

  private static List<String> of(Class<?> body) {
    return Arrays.stream(body.getRecordComponents()).map(RecordComponent::getName).toList();
  }
}
