package io.lensflow.bench.load;

import io.lensflow.bench.process.ProcessMemory;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.RankInfo;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A process of its own that reads a checkpoint's files, then loads it, for {@link LoadFigures}.
 * Prints {@code bytes} of the files, {@code read} and {@code load} in seconds, {@code before},
 * {@code peak} and {@code after} in bytes of resident memory, and {@code held}, the bytes of the
 * weights by the engine's own account.
 */
final class LoadProbe {
  private static final int BUFFER_BYTES = 4 << 20;

  private LoadProbe() {}

  /** Arguments: model. */
  public static void main(String[] arguments) throws IOException {
    Path model = Path.of(arguments[0]);
    long start = System.nanoTime();
    long bytes = read(model);
    double read = (System.nanoTime() - start) * 1e-9;
    new TensorKernels().close(); // the native library is there before anything counts
    ProcessMemory.resetPeak();
    long before = ProcessMemory.resident();
    start = System.nanoTime();
    EngineOptions options = EngineOptions.defaults().withKvTokens(1);
    Engine engine = EngineLoader.load(model, options);
    double load = (System.nanoTime() - start) * 1e-9;
    System.out.println("peak " + ProcessMemory.peak());
    System.out.println("after " + ProcessMemory.resident());
    System.out.println("held " + engine.ranks().stream().mapToLong(RankInfo::weightBytes).sum());
    System.out.println("before " + before);
    System.out.println("bytes " + bytes);
    System.out.println("read " + read);
    System.out.println("load " + load);
    engine.close();
  }

  /** Reads every safetensors file once and keeps nothing. */
  private static long read(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(file -> file.toString().endsWith(".safetensors")).toList();
    }
    long bytes = 0;
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    for (Path file : files) {
      try (FileChannel channel = FileChannel.open(file)) {
        for (int n = channel.read(buffer); n >= 0; n = channel.read(buffer.clear())) {
          bytes += n;
        }
      }
    }
    return bytes;
  }
}
