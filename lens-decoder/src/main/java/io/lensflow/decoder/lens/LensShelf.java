package io.lensflow.decoder.lens;

import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.schemas.lens.ServedLenses;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lenses of a folder, one a safetensors file, beside the logit lens. Each {@link #scan} takes
 * in what is new, drops what is gone, and takes a file that was written anew for another lens: rows
 * that were planned with the old one are decoded with the old one. Its memory is given back when
 * the last of them is done, which the garbage collector notices; it counts until then.
 *
 * <p>A file that cannot be used is refused with one line in the log, counted, and looked at again
 * when it changes. {@link #find} and {@link #names} are thread-safe; the rest is for one thread.
 */
public final class LensShelf implements LensSource, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LensShelf.class);
  private static final String SUFFIX = ".safetensors";
  private static final Cleaner CLEANER = Cleaner.create();

  /** Reads a file for the checkpoint that is loaded. */
  public interface Loader {
    /**
     * Reads a translator.
     *
     * @throws IOException if it is broken, or of another model or shape; says what is wrong
     */
    LensTranslator load(Path file) throws IOException;

    /** Upper bound of the memory that a translator will take, from its file's size. */
    long heldBytes(long fileBytes);
  }

  /** Which content of a file was looked at. */
  private record Stamp(long bytes, FileTime modified, Object key) {}

  /**
   * What became of a file.
   *
   * @param lens null if there is none
   * @param memory frees the lens
   * @param needsBytes what it would take, if room is all that it lacks; else 0
   */
  private record Verdict(Stamp stamp, Lens lens, Cleaner.Cleanable memory, long needsBytes) {}

  private final Path folder;
  private final Loader loader;
  private final long maxBytes;
  private final AtomicLong heldBytes = new AtomicLong();
  private final AtomicLong refusals = new AtomicLong();
  private final Map<Path, Verdict> files = new HashMap<>();
  private volatile Map<String, Lens> lenses = Map.of(Lens.LOGIT.name(), Lens.LOGIT);

  /**
   * A shelf that holds the logit lens until it is told to {@link #scan}.
   *
   * @param folder where files are; need not exist yet
   * @param loader reads them
   * @param maxBytes memory that translators may take together
   */
  public LensShelf(Path folder, Loader loader, long maxBytes) {
    this.folder = folder;
    this.loader = loader;
    this.maxBytes = maxBytes;
  }

  @Override
  public Optional<Lens> find(String name) {
    return Optional.ofNullable(lenses.get(name));
  }

  @Override
  public List<String> names() {
    List<String> names = new ArrayList<>(new TreeSet<>(lenses.keySet()));
    names.remove(Lens.LOGIT.name());
    names.add(0, Lens.LOGIT.name());
    return names;
  }

  /** Memory that translators take, those that are on their way out included. */
  public long heldBytes() {
    return heldBytes.get();
  }

  /** Files that could not be used, each counted once per content. */
  public long refusals() {
    return refusals.get();
  }

  /** Looks at the folder and brings the shelf up to date. */
  public void scan() {
    Map<Path, Stamp> found;
    try {
      found = find();
    } catch (IOException e) {
      log.warn("lensflow.decoder.lenses: {} cannot be read: {}", folder, e.toString());
      return;
    }
    files.keySet().removeIf(file -> !found.containsKey(file) && dropped(file));
    found.forEach(
        (file, stamp) -> {
          Verdict known = files.get(file);
          boolean same = known != null && known.stamp.equals(stamp);
          if (!same || (known.needsBytes > 0 && hasRoom(known.needsBytes))) {
            files.put(file, judge(file, stamp, known));
          }
        });
    publish();
  }

  private boolean dropped(Path file) {
    Verdict verdict = files.get(file);
    if (verdict.lens != null) {
      log.info("lens '{}' is no longer there: {} is gone", verdict.lens.name(), file);
    }
    return true;
  }

  private Map<Path, Stamp> find() throws IOException {
    Map<Path, Stamp> found = new TreeMap<>();
    if (!Files.isDirectory(folder)) {
      return found;
    }
    try (Stream<Path> list = Files.list(folder)) {
      for (Path file : (Iterable<Path>) list::iterator) {
        String name = file.getFileName().toString();
        if (name.endsWith(SUFFIX) && !name.startsWith(".") && Files.isRegularFile(file)) {
          BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
          found.put(
              file,
              new Stamp(attributes.size(), attributes.lastModifiedTime(), attributes.fileKey()));
        }
      }
    }
    return found;
  }

  private Verdict judge(Path file, Stamp stamp, Verdict before) {
    long bytes = loader.heldBytes(stamp.bytes);
    boolean fits = hasRoom(bytes);
    String reason;
    if (!fits) {
      reason =
          "it needs up to %,d bytes, and %,d of lensflow.decoder.max-lens-bytes (%,d) are taken: raise that, or remove a lens"
              .formatted(bytes, heldBytes.get(), maxBytes);
    } else {
      try {
        LensTranslator translator = loader.load(file);
        reason = nameProblem(file, translator.name());
        if (reason == null) {
          return accept(file, stamp, translator, bytes);
        }
        translator.close();
      } catch (IOException | RuntimeException e) {
        reason = e.getMessage();
      }
    }
    refusals.incrementAndGet();
    log.warn("{} is no lens for this decoder: {}", file, reason);
    // What was good stays in use while its successor is not.
    Lens lens = before == null ? null : before.lens;
    return new Verdict(stamp, lens, before == null ? null : before.memory, fits ? 0 : bytes);
  }

  private boolean hasRoom(long bytes) {
    return heldBytes.get() + bytes <= maxBytes;
  }

  private String nameProblem(Path file, String name) {
    if (name.equals(ServedLenses.LOGIT)) {
      return "'%s' is the name of the plain logit lens".formatted(name);
    }
    if (!ServedLenses.isName(name)) {
      return "'%s' cannot be a lens's name".formatted(name);
    }
    for (Map.Entry<Path, Verdict> other : files.entrySet()) {
      Lens lens = other.getValue().lens;
      if (!other.getKey().equals(file) && lens != null && lens.name().equals(name)) {
        return "%s already is the lens '%s'".formatted(other.getKey(), name);
      }
    }
    return null;
  }

  private Verdict accept(Path file, Stamp stamp, LensTranslator translator, long bytes) {
    heldBytes.addAndGet(bytes);
    Lens lens = Lens.of(translator);
    AtomicLong held =
        heldBytes; // not this: the shelf must not keep the lens alive, nor the reverse
    Cleaner.Cleanable memory =
        CLEANER.register(
            lens,
            () -> {
              translator.close();
              held.addAndGet(-bytes);
            });
    log.info("lens '{}' from {}: {}", lens.name(), file, translator.info());
    return new Verdict(stamp, lens, memory, 0);
  }

  private void publish() {
    Map<String, Lens> current = new HashMap<>();
    current.put(Lens.LOGIT.name(), Lens.LOGIT);
    for (Verdict verdict : files.values()) {
      if (verdict.lens != null) {
        current.put(verdict.lens.name(), verdict.lens);
      }
    }
    lenses = Map.copyOf(current);
  }

  /** Frees all memory. To be called when nothing is decoded any more. */
  @Override
  public void close() {
    lenses = Map.of(Lens.LOGIT.name(), Lens.LOGIT);
    for (Verdict verdict : files.values()) {
      if (verdict.memory != null) {
        verdict.memory.clean();
      }
    }
    files.clear();
  }
}
