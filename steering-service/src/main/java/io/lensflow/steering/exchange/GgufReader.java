package io.lensflow.steering.exchange;

import io.lensflow.steering.vector.RefusedException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/**
 * Reads the parts of a GGUF file (versions 2 and 3, little-endian) in their order, every length
 * checked before anything is allocated. Not thread-safe.
 */
final class GgufReader {
  private static final int ARRAY = 9;

  /** More of anything is no control vector. */
  private static final long MOST = 100_000;

  private final ByteBuffer in;
  private int dataStart;

  /**
   * A tensor, as the header tells of it.
   *
   * @param length its elements
   * @param type number of its element type
   * @param offset its first byte, from the beginning of the data
   */
  record Tensor(String name, int length, int type, long offset) {}

  GgufReader(byte[] file) {
    this.in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Reads the mark and the version. */
  void magic(int magic) {
    if (int32() != magic) {
      throw wrong("it does not begin with GGUF");
    }
    int version = int32();
    if (version != 2 && version != 3) {
      throw wrong("it is of version %d; 2 and 3 are known".formatted(version));
    }
  }

  int int32() {
    return read(ByteBuffer::getInt);
  }

  private long int64() {
    return read(ByteBuffer::getLong);
  }

  /** A number of things, within reason. */
  long count() {
    long count = int64();
    if (count < 0 || count > MOST) {
      throw wrong("it counts %d of something".formatted(count));
    }
    return count;
  }

  String string() {
    long length = int64();
    if (length < 0 || length > in.remaining()) {
      throw wrong("a text of %d bytes goes beyond its end".formatted(length));
    }
    byte[] utf8 = new byte[(int) length];
    in.get(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /** A value of a numbered type; arrays are passed over. */
  Object value(int type) {
    return switch (type) {
      case 0, 1, 7 -> (int) read(ByteBuffer::get);
      case 2, 3 -> (int) read(ByteBuffer::getShort);
      case 4, 5 -> int32();
      case 6 -> read(ByteBuffer::getFloat);
      case 8 -> string();
      case ARRAY -> array();
      case 10, 11 -> int64();
      case 12 -> read(ByteBuffer::getDouble);
      default -> throw wrong("a value is of type %d".formatted(type));
    };
  }

  private Object array() {
    int type = int32();
    if (type == ARRAY) {
      throw wrong("an array holds arrays");
    }
    long count = int64();
    if (count < 0 || count > in.remaining()) {
      throw wrong("an array of %d goes beyond its end".formatted(count));
    }
    for (long i = 0; i < count; i++) {
      value(type);
    }
    return List.of();
  }

  Tensor tensor() {
    String name = string();
    int dimensions = int32();
    if (dimensions < 1 || dimensions > 4) {
      throw wrong("tensor '%s' has %d dimensions".formatted(name, dimensions));
    }
    long length = 1;
    long longest = 0;
    for (int i = 0; i < dimensions; i++) {
      long size = int64();
      if (size < 1 || size > in.capacity()) {
        throw wrong("tensor '%s' has a dimension of %d".formatted(name, size));
      }
      length = Math.min(length * size, Integer.MAX_VALUE);
      longest = Math.max(longest, size);
    }
    if (length != longest) {
      throw wrong("tensor '%s' is no row of D".formatted(name));
    }
    return new Tensor(name, (int) length, int32(), int64());
  }

  /** Ends the header: the data begins at the next multiple of {@code alignment}. */
  void align(long alignment) {
    if (alignment < 1 || alignment > MOST) {
      throw wrong("its alignment is %d".formatted(alignment));
    }
    long start = GgufFormat.aligned(in.position(), alignment);
    if (start > in.capacity()) {
      throw wrong("it ends before its data");
    }
    dataStart = (int) start;
  }

  /** A tensor's bytes, little-endian. */
  ByteBuffer data(Tensor tensor, int elementBytes) {
    long from = dataStart + tensor.offset();
    long size = (long) tensor.length() * elementBytes;
    if (tensor.offset() < 0 || tensor.offset() > in.capacity() || from + size > in.capacity()) {
      throw wrong("tensor '%s' goes beyond its end".formatted(tensor.name()));
    }
    return in.slice((int) from, (int) size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private <T> T read(Function<ByteBuffer, T> next) {
    try {
      return next.apply(in);
    } catch (BufferUnderflowException e) {
      throw wrong("it ends too early");
    }
  }

  static RefusedException wrong(String what) {
    return RefusedException.invalid(null, "the file is no GGUF control vector: " + what);
  }
}
