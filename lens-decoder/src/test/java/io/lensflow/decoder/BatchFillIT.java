package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Requests that generate at the same time share batches, though each sends a token at a time. */
@ExtendWith(KafkaExtension.class)
class BatchFillIT {
  private static final int REQUESTS = 16;
  private static final int TOKENS = 80;

  /** 50 tokens/s a request, of 4 layers each: 3,200 rows/s, in chunks of 4 rows. */
  private static final long STEP_MILLIS = 20;

  @Test
  void shouldFillHalfOfEachBatchWhenSixteenRequestsGenerate(KafkaEnvironment environment)
      throws Exception {
    Path fixture = SharedData.folder("fixtures/tiny-llama31");
    GoldenCase golden = GoldenCase.read(fixture, "case1");
    ScheduledExecutorService worker = Executors.newSingleThreadScheduledExecutor();
    try (DecoderTestBed bed = new DecoderTestBed(environment, fixture);
        DecoderService service = bed.start(Map.of())) {
      Await.until("readiness", Duration.ofSeconds(30), () -> service.readiness().ready());
      AtomicInteger token = new AtomicInteger();
      worker.scheduleAtFixedRate(
          () -> {
            int position = token.getAndIncrement();
            for (int request = 0; request < REQUESTS && position < TOKENS; request++) {
              int row = position % golden.rows;
              bed.send(
                  golden.chunk(
                      "request-" + request,
                      position,
                      bed.revision,
                      bed.tokenizerHash,
                      row,
                      row + 1));
            }
          },
          0,
          STEP_MILLIS,
          TimeUnit.MILLISECONDS);
      bed.awaitResults(REQUESTS * TOKENS, Duration.ofSeconds(60));

      double batches = DecoderTestBed.metric(service.port(), "lensflow_decoder_batch_fill_count");
      double fill = DecoderTestBed.metric(service.port(), "lensflow_decoder_batch_fill_sum");
      assertThat(bed.results).hasSize(REQUESTS * TOKENS);
      assertThat(fill / batches).as("mean fill of %s batches", batches).isGreaterThanOrEqualTo(0.5);
    } finally {
      worker.shutdownNow();
    }
  }
}
