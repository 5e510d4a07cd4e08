package io.lensflow.decoder.lens;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.TestModel;
import io.lensflow.decoder.TestTranslators;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.records.HookPoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LensShelfTest {
  private static final long BYTES = 100;

  @TempDir private Path folder;
  private LensShelf shelf;

  @AfterEach
  void close() {
    shelf.close();
  }

  @Test
  void shouldHoldTheLogitLensWhenThereIsNoFolder() {
    shelf = shelf(folder.resolve("nowhere"), 2);

    shelf.scan();

    assertThat(shelf.names()).containsExactly("logit");
    assertThat(shelf.find("logit")).containsSame(Lens.LOGIT);
    assertThat(shelf.find("tuned")).isEmpty();
  }

  @Test
  void shouldTakeInAFileThatIsWrittenWhileItRuns() throws IOException {
    shelf = shelf(folder, 2);
    shelf.scan();
    TestTranslators.write(folder.resolve("a.safetensors"), "tuned", 0.5f);
    Files.writeString(folder.resolve("notes.txt"), "no lens");

    shelf.scan();

    assertThat(shelf.names()).containsExactly("logit", "tuned");
    assertThat(shelf.find("tuned").orElseThrow().translator().info().method()).isEqualTo("by hand");
    assertThat(shelf.heldBytes()).isEqualTo(BYTES);
    assertThat(shelf.refusals()).isZero();
  }

  @Test
  void shouldTakeAFileThatIsWrittenAnewForAnotherLens() throws IOException {
    Path file = folder.resolve("a.safetensors");
    shelf = shelf(folder, 2);
    TestTranslators.write(file, "tuned", 0.5f);
    shelf.scan();
    Lens first = shelf.find("tuned").orElseThrow();
    shelf.scan();
    assertThat(shelf.find("tuned")).containsSame(first);

    TestTranslators.write(file, "tuned", 0.7f);
    Files.setLastModifiedTime(file, FileTime.fromMillis(1));
    shelf.scan();

    assertThat(shelf.find("tuned").orElseThrow()).isNotSameAs(first);
    assertThat(first.translator().covers(1)).as("rows that were planned with it").isTrue();
  }

  @Test
  void shouldDropALensWhenItsFileIsGone() throws IOException {
    Path file = folder.resolve("a.safetensors");
    shelf = shelf(folder, 2);
    TestTranslators.write(file, "tuned", 0.5f);
    shelf.scan();
    Files.delete(file);

    shelf.scan();

    assertThat(shelf.names()).containsExactly("logit");
  }

  @Test
  void shouldRefuseOnceWhatIsNoLensForThisModel() throws IOException {
    shelf = shelf(folder, 5);
    Files.writeString(folder.resolve("broken.safetensors"), "broken");
    TestTranslators.write(folder.resolve("model.safetensors"), "x", "another", "r1", 3, 4, 1);
    TestTranslators.write(folder.resolve("revision.safetensors"), "y", "test-model", "r2", 3, 4, 1);
    TestTranslators.write(folder.resolve("shape.safetensors"), "z", "test-model", "r1", 3, 5, 1);
    TestTranslators.write(folder.resolve("logit.safetensors"), "logit", 1);
    TestTranslators.write(folder.resolve("good.safetensors"), "good", 1);

    shelf.scan();
    shelf.scan();

    assertThat(shelf.names()).containsExactly("logit", "good");
    assertThat(shelf.refusals()).isEqualTo(5);
  }

  @Test
  void shouldRefuseASecondFileOfTheSameName() throws IOException {
    shelf = shelf(folder, 5);
    TestTranslators.write(folder.resolve("a.safetensors"), "tuned", 0.5f);
    TestTranslators.write(folder.resolve("b.safetensors"), "tuned", 0.7f);

    shelf.scan();

    assertThat(shelf.names()).containsExactly("logit", "tuned");
    assertThat(shelf.refusals()).isEqualTo(1);
  }

  @Test
  void shouldHoldNoMoreThanItsMemoryAndGoOnWhenThereIsRoom() throws IOException {
    shelf = shelf(folder, 1);
    TestTranslators.write(folder.resolve("a.safetensors"), "first", 0.5f);
    TestTranslators.write(folder.resolve("b.safetensors"), "second", 0.5f);
    shelf.scan();
    assertThat(shelf.names()).containsExactly("logit", "first");

    shelf.scan();

    assertThat(shelf.heldBytes()).isEqualTo(BYTES);
    assertThat(shelf.refusals()).as("said once").isEqualTo(1);
  }

  @Test
  void shouldKeepTheOldLensWhenItsSuccessorIsBroken() throws IOException {
    Path file = folder.resolve("a.safetensors");
    shelf = shelf(folder, 5);
    TestTranslators.write(file, "tuned", 0.5f);
    shelf.scan();
    Lens first = shelf.find("tuned").orElseThrow();
    Files.writeString(file, "half a file");

    shelf.scan();

    assertThat(shelf.find("tuned")).containsSame(first);
    assertThat(shelf.refusals()).isEqualTo(1);
  }

  @Test
  void shouldSayForWhichRowsALensWasMade() throws IOException {
    shelf = shelf(folder, 5);
    TestTranslators.write(folder.resolve("a.safetensors"), "tuned", 0.5f);
    shelf.scan();
    Lens lens = shelf.find("tuned").orElseThrow();

    assertThat(lens.refusal(HookPoint.RESIDUAL_POST, List.of(0, 2))).isEmpty();
    assertThat(lens.refusal(HookPoint.RESIDUAL_POST, List.of(0, 3)).orElseThrow())
        .contains("'tuned'", "layer 3");
    assertThat(lens.refusal(HookPoint.MLP_OUTPUT, List.of(0)).orElseThrow())
        .contains("RESIDUAL_POST", "MLP_OUTPUT");
    assertThat(Lens.LOGIT.refusal(HookPoint.MLP_OUTPUT, List.of(7))).isEmpty();
  }

  /** A shelf with room for so many lenses of {@link TestModel}. */
  private static LensShelf shelf(Path folder, int lenses) {
    return new LensShelf(
        folder,
        new LensShelf.Loader() {
          @Override
          public LensTranslator load(Path file) throws IOException {
            return LensTranslator.load(file, TestModel.shape(), TestModel.NAME, TestModel.REVISION);
          }

          @Override
          public long heldBytes(long fileBytes) {
            return BYTES;
          }
        },
        lenses * BYTES);
  }
}
