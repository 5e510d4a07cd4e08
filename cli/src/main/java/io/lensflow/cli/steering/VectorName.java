package io.lensflow.cli.steering;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A vector as people name it: {@code NAME}, {@code NAME@VERSION} or {@code NAME@ALIAS}.
 *
 * @param name of the vector
 * @param version number or alias; null for {@code latest}
 */
public record VectorName(String name, String version) {
  /** Its version as a path says it. */
  public String versionOrLatest() {
    return version == null ? "latest" : version;
  }

  /** The fields {@code name} and {@code version} or {@code alias} of a JSON object. */
  public ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("name", name);
    if (version != null && version.matches("\\d{1,9}")) {
      json.put("version", Integer.parseInt(version));
    } else if (version != null) {
      json.put("alias", version);
    }
    return json;
  }

  /** Reads what stands on the command line. */
  public static final class Converter implements ITypeConverter<VectorName> {
    @Override
    public VectorName convert(String text) {
      String[] halves = text.strip().split("@", 2);
      if (halves[0].isEmpty() || (halves.length == 2 && halves[1].isEmpty())) {
        throw new TypeConversionException(
            "'%s' is not NAME, NAME@VERSION or NAME@ALIAS".formatted(text));
      }
      return new VectorName(halves[0], halves.length == 2 ? halves[1] : null);
    }
  }
}
