package io.lensflow.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * What the C library's allocator has handed out to others than the virtual machine: for leak tests.
 * The machine's own memory, that of its compilers above all, comes and goes by megabytes; it counts
 * that itself where it runs with {@code -XX:NativeMemoryTracking=summary}, as this module's tests
 * do.
 */
public final class NativeHeap {
  private static final Pattern ENTRY =
      Pattern.compile("<(total|system) type=\"(\\w+)\"(?: count=\"\\d+\")? size=\"(\\d+)\"");

  private static final Pattern MACHINE = Pattern.compile("malloc: (\\d+) #(\\d+)");

  /** What the allocator adds to a block, on average: a header, and half of what rounds it up. */
  private static final int BLOCK_BYTES = 16;

  /** How often to look for a moment at which the machine keeps still. */
  private static final int ATTEMPTS = 10;

  private NativeHeap() {}

  private interface CLibrary extends Library {
    Pointer open_memstream(PointerByReference text, LongByReference size);

    int malloc_info(int options, Pointer stream);

    int fclose(Pointer stream);
  }

  /**
   * Bytes in use over all arenas, less the virtual machine's. Skips the test where there is no GNU
   * C library.
   */
  public static long bytesInUse() {
    assumeTrue(Platform.isLinux(), "malloc_info is the GNU C library's");
    long least = Long.MAX_VALUE;
    long bytes = 0;
    for (int attempt = 0; attempt < ATTEMPTS && least > 0; attempt++) {
      long before = machineBytes();
      long all = allBytes();
      long moved = Math.abs(machineBytes() - before);
      if (moved < least) {
        least = moved;
        bytes = all - before;
      }
    }
    return bytes;
  }

  private static long machineBytes() {
    try {
      Object report =
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "vmNativeMemory",
                  new Object[] {new String[] {"summary", "scale=b"}},
                  new String[] {String[].class.getName()});
      Matcher total = MACHINE.matcher((String) report);
      if (!total.find()) {
        throw new IllegalStateException(
            "run with -XX:NativeMemoryTracking=summary; the virtual machine says: " + report);
      }
      return Long.parseLong(total.group(1)) + BLOCK_BYTES * Long.parseLong(total.group(2));
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
  }

  private static long allBytes() {
    CLibrary c = Native.load("c", CLibrary.class);
    PointerByReference text = new PointerByReference();
    LongByReference size = new LongByReference();
    Pointer stream = c.open_memstream(text, size);
    c.malloc_info(0, stream);
    c.fclose(stream);
    String report = text.getValue().getString(0);
    Native.free(Pointer.nativeValue(text.getValue()));
    // The totals over all arenas stand behind the last of them.
    Matcher entry = ENTRY.matcher(report.substring(report.lastIndexOf("</heap>")));
    long inUse = 0;
    while (entry.find()) {
      long bytes = Long.parseLong(entry.group(3));
      switch (entry.group(2)) {
        case "current", "mmap" -> inUse += bytes;
        case "fast", "rest" -> inUse -= bytes;
        default -> {}
      }
    }
    return inUse;
  }
}
