package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.EngineLoader;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** A worker of two ranks gives what one rank gives, also after one of them has failed. */
class TwoRanksIT extends RealEngineIT {
  private final BreakableEngine.Breakage breakage = new BreakableEngine.Breakage();
  private WorkerService worker;

  @Override
  int ranks() {
    return 2;
  }

  @Override
  WorkerService startWorker(WorkerSettings settings) {
    Path folder = SharedData.folder("fixtures/tiny-llama31");
    worker =
        WorkerService.start(
            settings,
            traffic.kafka(),
            () -> new BreakableEngine(EngineLoader.load(folder, settings.engine()), breakage),
            cause -> {
              throw new AssertionError("the worker was lost", cause);
            });
    return worker;
  }

  @Test
  void shouldRunARequestAgainWhenARankFailsInTheMiddleOfIt() throws IOException {
    Alone alone = alone(PROMPT);
    int loads = breakage.loads.get();
    breakage.stepsLeft.set(8);
    String id = traffic.send(Traffic.request(PROMPT, NEW_TOKENS, r -> r.setIgnoreEos(true)));

    CompletionEvent end = traffic.awaitEnd(id);

    assertThat(end.getAttempt()).isEqualTo(2);
    assertThat(traffic.eventsOf(id, CompletionType.ATTEMPT_FAILED))
        .singleElement()
        .satisfies(e -> assertThat(e.getFailure().getMessage()).contains("rank"));
    assertThat(breakage.loads).hasValue(loads + 1);
    assertComplete(id, end, alone);
  }

  @Test
  void shouldSayWhatItsRanksHold() throws Exception {
    WorkerHeartbeat beat = traffic.awaitHeartbeat("real");

    assertThat(beat.getRanks()).isEqualTo(2);
    assertThat(beat.getDevice()).isEqualTo("cpu");
    HttpRequest metrics =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/metrics".formatted(worker.port())))
            .build();
    String body =
        HttpClient.newHttpClient().send(metrics, HttpResponse.BodyHandlers.ofString()).body();
    assertThat(body)
        .contains("lensflow_worker_kv_tokens 16384.0")
        .contains("lensflow_worker_kv_tokens_free")
        .containsPattern("lensflow_worker_rank_weight_bytes\\{device=\"cpu\",rank=\"0\"} [1-9]")
        .containsPattern("lensflow_worker_rank_weight_bytes\\{device=\"cpu\",rank=\"1\"} [1-9]");
  }
}
