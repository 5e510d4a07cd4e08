package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Networks and servers that break. */
class FaultTest {
  private static final String WEIGHTS = "model.safetensors";

  @TempDir Path folder;
  private HubTestBed bed;
  private byte[] weights;

  @BeforeEach
  void start() throws IOException {
    bed = new HubTestBed(folder.resolve("hub"));
    weights = bed.server.files.get(WEIGHTS);
  }

  @AfterEach
  void stop() {
    bed.close();
  }

  private List<String> ranges() {
    return bed.server.contentRequests(WEIGHTS).stream()
        .map(request -> String.valueOf(request.range()))
        .toList();
  }

  private void assertWhole(Path snapshot) throws IOException {
    assertThat(Files.readAllBytes(snapshot.resolve(WEIGHTS))).isEqualTo(weights);
    assertThat(bed.incomplete(WEIGHTS)).doesNotExist();
  }

  @Test
  void shouldGoOnWhereTheConnectionBroke() throws IOException {
    bed.server.failNext(
        WEIGHTS, new HubServer.Fault.CutAfter(100_000), new HubServer.Fault.CutAfter(100_000));

    assertWhole(bed.resolve("org/tiny"));
    List<String> ranges = ranges();
    assertThat(ranges).hasSize(3).first().isEqualTo("null");
    // What is on its way when a connection breaks may be lost.
    long second = Long.parseLong(ranges.get(1).replaceAll("bytes=(\\d+)-", "$1"));
    long third = Long.parseLong(ranges.get(2).replaceAll("bytes=(\\d+)-", "$1"));
    assertThat(second).isBetween(1L, 100_000L);
    assertThat(third).isBetween(second + 1, second + 100_000);
  }

  @Test
  void shouldGoOnWhereAnEarlierRunGaveUp() throws IOException {
    bed.server.failNext(
        WEIGHTS,
        new HubServer.Fault.CutAfter(120_000),
        new HubServer.Fault.Status(503),
        new HubServer.Fault.Status(503),
        new HubServer.Fault.Status(503));
    Throwable failure = catchThrowable(() -> bed.resolve("org/tiny"));
    long kept = Files.size(bed.incomplete(WEIGHTS));
    assertThat(kept).isBetween(1L, 120_000L);
    assertThat(failure)
        .isInstanceOf(HubException.class)
        .hasMessageContaining(kept + " of 300000 bytes are kept");
    List<DownloadProgress.Status> heard = new ArrayList<>();

    assertWhole(bed.hub().resolve("org/tiny", ModelFiles.ALL, heard::add));

    assertThat(ranges()).last().isEqualTo("bytes=" + kept + "-");
    DownloadProgress.Status last = heard.get(heard.size() - 1);
    assertThat(last.bytesDone()).isEqualTo(last.bytes());
    // Of the small files the failed run has left as many as it came to.
    assertThat(last.bytesReceived()).isBetween(300_000 - kept, last.bytes() - kept);
  }

  @Test
  void shouldStartOverWhenTheServerIgnoresTheRange() throws IOException {
    bed.server.failNext(
        WEIGHTS, new HubServer.Fault.CutAfter(100_000), new HubServer.Fault.IgnoreRange());
    List<DownloadProgress.Status> heard = new ArrayList<>();

    assertWhole(bed.hub().resolve("org/tiny", ModelFiles.ALL, heard::add));

    DownloadProgress.Status last = heard.get(heard.size() - 1);
    assertThat(last.bytesDone()).isEqualTo(last.bytes());
    assertThat(last.bytesReceived()).isBetween(last.bytes() + 1, last.bytes() + 100_000);
  }

  @Test
  void shouldTryAgainWhenTheServerIsBusy() throws IOException {
    bed.server.failListings(503, 2);
    bed.server.failNext(WEIGHTS, new HubServer.Fault.Status(429), new HubServer.Fault.Status(500));

    assertWhole(bed.resolve("org/tiny"));
  }

  @Test
  void shouldGiveTheConnectionUpWhenNothingComes() throws IOException {
    bed.server.failNext(WEIGHTS, new HubServer.Fault.StallAfter(50_000));

    assertWhole(bed.resolve("org/tiny"));
    assertThat(ranges()).containsExactly("null", "bytes=50000-");
  }

  @Test
  void shouldAskAgainWhenTheListingStalls() throws IOException {
    bed.server.failListings(HubServer.STALL, 1);

    assertWhole(bed.resolve("org/tiny"));
  }

  @Test
  void shouldDeleteWhatHasTheWrongHash() {
    byte[] wrong = weights.clone();
    wrong[7]++;
    bed.server.failNext(WEIGHTS, new HubServer.Fault.OtherContent(wrong));

    assertThatThrownBy(() -> bed.resolve("org/tiny"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining(WEIGHTS)
        .hasMessageContaining(bed.server.etag(WEIGHTS))
        .hasMessageContaining("deleted");
    assertThat(bed.incomplete(WEIGHTS)).doesNotExist();
    assertThat(bed.blob(WEIGHTS)).doesNotExist();
    assertThat(bed.snapshot().resolve(WEIGHTS)).doesNotExist();
    assertThat(bed.model().resolve("refs")).doesNotExist();
  }

  @Test
  void shouldCheckSmallFilesByGitsHash() {
    bed.server.failNext("config.json", new HubServer.Fault.OtherContent(new byte[40]));
    bed.server.sizes.clear();

    assertThatThrownBy(() -> bed.resolve("org/tiny")).hasMessageContaining("config.json");
    assertThat(bed.snapshot().resolve("config.json")).doesNotExist();
  }

  @Test
  void shouldFetchAnewWhenWhatAnEarlierRunLeftIsWrong() throws IOException {
    Files.createDirectories(bed.incomplete(WEIGHTS).getParent());
    Files.write(bed.incomplete(WEIGHTS), new byte[5000]);

    assertWhole(bed.resolve("org/tiny"));
    assertThat(ranges()).containsExactly("bytes=5000-", "null");
  }

  @Test
  void shouldFetchAnewWhenWhatAnEarlierRunLeftIsTooLong() throws IOException {
    Files.createDirectories(bed.incomplete(WEIGHTS).getParent());
    Files.write(bed.incomplete(WEIGHTS), new byte[400_000]);

    assertWhole(bed.resolve("org/tiny"));
  }

  @Test
  void shouldOnlyCheckWhenAnEarlierRunLeftAllOfIt() throws IOException {
    Files.createDirectories(bed.incomplete(WEIGHTS).getParent());
    Files.write(bed.incomplete(WEIGHTS), weights);

    assertWhole(bed.resolve("org/tiny"));
    assertThat(ranges()).isEmpty();
  }

  @Test
  void shouldNameBothSizesWhenTheyDiffer() {
    bed.server.sizes.put(WEIGHTS, 299_999L);

    assertThatThrownBy(() -> bed.resolve("org/tiny"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("300000")
        .hasMessageContaining("299999");
  }

  @Test
  void shouldReplaceABlobOfTheWrongSize() throws IOException {
    Files.createDirectories(bed.blob(WEIGHTS).getParent());
    Files.write(bed.blob(WEIGHTS), Arrays.copyOf(weights, 10));

    assertWhole(bed.resolve("org/tiny"));
  }

  @Test
  void shouldEndTheOthersWhenOneFileFails() throws InterruptedException {
    bed.server.failNext(WEIGHTS, new HubServer.Fault.StallAfter(1000));
    bed.server.failNext("config.json", new HubServer.Fault.Status(410));

    assertThatThrownBy(() -> bed.resolve("org/tiny")).hasMessageContaining("config.json");
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().matches("model-download-\\d+")) {
        thread.join(5_000);
        assertThat(thread.isAlive()).as(thread.getName()).isFalse();
      }
    }
  }

  @Test
  void shouldFetchOnceWhenSeveralWantTheSame()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    List<CompletableFuture<Path>> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return bed.resolve("org/tiny");
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              },
              task -> new Thread(task).start()));
    }
    for (CompletableFuture<Path> one : all) {
      assertWhole(one.get(20, TimeUnit.SECONDS));
    }
    assertThat(ranges()).containsExactly("null");
  }
}
