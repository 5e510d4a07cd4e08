package io.lensflow.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the C library's allocator has handed out: for leak tests. */
public final class NativeHeap {
  private static final Pattern ENTRY =
      Pattern.compile("<(total|system) type=\"(\\w+)\"(?: count=\"\\d+\")? size=\"(\\d+)\"");

  private NativeHeap() {}

  private interface CLibrary extends Library {
    Pointer open_memstream(PointerByReference text, LongByReference size);

    int malloc_info(int options, Pointer stream);

    int fclose(Pointer stream);
  }

  /** Bytes in use over all arenas. Skips the test where there is no GNU C library. */
  public static long bytesInUse() {
    assumeTrue(Platform.isLinux(), "malloc_info is the GNU C library's");
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
