package io.lensflow.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OpsServerTest {
  private final PrometheusMeterRegistry metrics =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final AtomicReference<Readiness> readiness = new AtomicReference<>(Readiness.READY);
  private OpsServer server;

  @BeforeEach
  void start() throws IOException {
    server =
        OpsServer.start(
            "127.0.0.1",
            0,
            metrics,
            readiness::get,
            routes -> {
              routes.get(
                  "/refused",
                  ctx -> {
                    throw new ApiException(422, "INVALID_REQUEST", "no such layer", "layers");
                  });
              routes.get(
                  "/broken",
                  ctx -> {
                    throw new IllegalStateException("secret");
                  });
            });
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void shouldAnswerHealthAndReadinessSeparately() throws Exception {
    readiness.set(Readiness.waitingFor("the broker"));
    assertThat(get("/healthz").statusCode()).isEqualTo(200);
    assertThat(get("/readyz").statusCode()).isEqualTo(503);
    assertThat(get("/readyz").body()).isEqualTo("the broker");
    readiness.set(Readiness.READY);
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
  }

  @Test
  void shouldShowMetricsAsPrometheusText() throws Exception {
    metrics.counter("lensflow.test.events").increment(3);
    HttpResponse<String> response = get("/metrics");
    assertThat(response.headers().firstValue("content-type").orElseThrow())
        .startsWith("text/plain");
    assertThat(response.body()).contains("lensflow_test_events_total 3.0").contains("jvm_memory");
  }

  @Test
  void shouldAnswerErrorsAsJsonThatNamesTheField() throws Exception {
    HttpResponse<String> response = get("/refused");
    assertThat(response.statusCode()).isEqualTo(422);
    assertThat(response.body())
        .contains("\"code\":\"INVALID_REQUEST\"", "\"message\":\"no such layer\"", "\"layers\"");
  }

  @Test
  void shouldNotShowInternalsWhenAHandlerFails() throws Exception {
    HttpResponse<String> response = get("/broken");
    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).contains("INTERNAL").doesNotContain("secret");
    assertThat(get("/nowhere").statusCode()).isEqualTo(404);
  }

  @Test
  void shouldNameThePortWhenItIsBusy() {
    assertThatThrownBy(
            () ->
                OpsServer.start(
                    "127.0.0.1",
                    server.port(),
                    new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                    readiness::get,
                    routes -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("127.0.0.1:" + server.port());
  }

  private HttpResponse<String> get(String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path)).build(),
            HttpResponse.BodyHandlers.ofString());
  }
}
