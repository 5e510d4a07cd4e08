package io.lensflow.engine.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Wraps kernel source in the zip layout of a TorchScript archive, in memory.
 *
 * <p>Kernels are kept as readable text, so that they are reviewed like any other source and need no
 * Python and no compiler. What the loader wants around them is a module object without attributes,
 * an empty table of constants and a version, every member stored uncompressed under one folder.
 */
final class KernelArchive {
  private static final String FOLDER = "kernels/";

  /** Pickle protocol 2 of {@code __torch__.Kernels()} with {@code training = False}. */
  private static final byte[] MODULE =
      "\u0080\u0002c__torch__\nKernels\n)\u0081}X\b\0\0\0training\u0089sb."
          .getBytes(StandardCharsets.ISO_8859_1);

  /** Pickle protocol 2 of {@code ()}. */
  private static final byte[] NO_CONSTANTS = "\u0080\u0002).".getBytes(StandardCharsets.ISO_8859_1);

  private static final byte[] VERSION = "3\n".getBytes(StandardCharsets.ISO_8859_1);

  private KernelArchive() {}

  /** The archive of a resource next to {@code owner} that holds {@code class Kernels(Module)}. */
  static byte[] of(Class<?> owner, String resource) {
    try (InputStream source = owner.getResourceAsStream(resource)) {
      if (source == null) {
        throw new IllegalArgumentException("no resource " + resource + " beside " + owner);
      }
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
        put(zip, "data.pkl", MODULE);
        put(zip, "code/__torch__.py", source.readAllBytes());
        put(zip, "constants.pkl", NO_CONSTANTS);
        put(zip, "version", VERSION);
      }
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(FOLDER + name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }
}
