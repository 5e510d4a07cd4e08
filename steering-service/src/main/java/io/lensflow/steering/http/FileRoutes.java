package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.VectorManifest;
import io.lensflow.steering.exchange.FileFormat;
import io.lensflow.steering.exchange.GgufFormat;
import io.lensflow.steering.exchange.SafetensorsFormat;
import io.lensflow.steering.exchange.TensorChoice;
import io.lensflow.steering.exchange.VectorContent;
import io.lensflow.steering.json.Symbols;
import io.lensflow.steering.topics.SiteReader;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.Provenance;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorDraft;
import io.lensflow.steering.vector.VectorId;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Vectors as files of other tools, in and out, over HTTP. Thread-safe. */
final class FileRoutes {
  private static final String ALL = "all";
  private static final String MODEL = "model";
  private static final String WARNING = "Lensflow-Warning";

  private final SiteReader sites;
  private final Publishing publishing;
  private final Bodies bodies;
  private final RequestParts parts;

  FileRoutes(SiteReader sites, Publishing publishing, Bodies bodies, RequestParts parts) {
    this.sites = sites;
    this.publishing = publishing;
    this.bodies = bodies;
    this.parts = parts;
  }

  List<Route> routes() {
    return List.of(
        Route.read(HandlerType.GET, VectorRoutes.VERSION + "/file", this::export),
        Route.write(HandlerType.POST, VectorRoutes.VECTOR + "/import", this::importFile));
  }

  private void export(Context ctx) {
    NamedVector vector = parts.existing(ctx);
    StoredVersion version = RequestParts.version(ctx, vector);
    VectorManifest manifest = version.manifest();
    FileFormat format =
        FileFormat.of(
            Objects.requireNonNullElse(ctx.queryParam("format"), FileFormat.SAFETENSORS.suffix()));
    VectorContent content =
        new VectorContent(sites.drafts(version), metadata(vector, version, manifest));
    byte[] file;
    if (format == FileFormat.GGUF) {
      requireAddition(manifest);
      file =
          GgufFormat.write(
              content,
              Objects.requireNonNullElse(ctx.queryParam("modelHint"), vector.id().model()));
      if (!manifest.getPositions().equals(ALL) || manifest.getPreserveNorm()) {
        ctx.header(
            WARNING,
            "the file cannot say positions %s and preserveNorm %s; llama.cpp adds it everywhere"
                .formatted(manifest.getPositions(), manifest.getPreserveNorm()));
      }
    } else {
      file = SafetensorsFormat.write(content);
    }
    String name = "%s-%d.%s".formatted(vector.id().name(), version.version(), format.suffix());
    ctx.contentType("application/octet-stream")
        .header("Content-Disposition", "attachment; filename=\"%s\"".formatted(name))
        .result(file);
  }

  private static void requireAddition(VectorManifest manifest) {
    if (manifest.getOperation() != SteeringOperation.ADD) {
      throw RefusedException.invalid(
          "format",
          "a GGUF control vector is added; this version's operation is %s. Use safetensors"
              .formatted(manifest.getOperation()));
    }
  }

  private static Map<String, String> metadata(
      NamedVector vector, StoredVersion version, VectorManifest manifest) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(MODEL, vector.id().model());
    metadata.put("name", vector.id().name());
    metadata.put("version", Integer.toString(version.version()));
    metadata.put("createdAt", version.createdAt().toString());
    if (manifest.getRevision() != null) {
      metadata.put("revision", manifest.getRevision());
    }
    metadata.put("operation", manifest.getOperation().name());
    metadata.put("positions", manifest.getPositions());
    metadata.put("preserveNorm", Boolean.toString(manifest.getPreserveNorm()));
    metadata.put("method", manifest.getMethod());
    metadata.put("dataset", manifest.getDataset());
    metadata.put("datasetHash", manifest.getDatasetHash());
    metadata.put("pairCount", Integer.toString(manifest.getPairCount()));
    metadata.put("items", manifest.getItems());
    metadata.put("chosenBy", manifest.getChosenBy());
    metadata.put("balance", manifest.getBalance());
    if (manifest.getLabelShare() != null) {
      metadata.put("labelShare", manifest.getLabelShare().toString());
    }
    metadata.put("author", manifest.getAuthor());
    metadata.put("description", manifest.getDescription());
    return metadata;
  }

  private void importFile(Context ctx) throws IOException {
    byte[] file = bodies.bytes(ctx);
    String named = ctx.queryParam("format");
    FileFormat format = named == null ? FileFormat.ofContent(file) : FileFormat.of(named);
    VectorContent content =
        format == FileFormat.GGUF
            ? GgufFormat.read(file)
            : SafetensorsFormat.read(file, choice(ctx));
    VectorId id = parts.vectorId(ctx);
    requireModel(ctx, id, content.metadata().get(MODEL));
    Origin origin = RequestParts.origin(ctx);
    publishing.publish(ctx, id, draft(ctx, content, origin), origin);
  }

  /** A vector of another model of the same width would be taken, and mean nothing. */
  private static void requireModel(Context ctx, VectorId id, String said) {
    boolean other = said != null && !said.isEmpty() && !said.equals(id.model());
    if (other && !Boolean.parseBoolean(ctx.queryParam("anyModel"))) {
      throw RefusedException.invalid(
          "model",
          "the file says that its vector is of model '%s', and it would become one of '%s': import it there, or, if these are the same model, say so with anyModel=true (--any-model)"
              .formatted(said, id.model()));
    }
  }

  private static TensorChoice choice(Context ctx) {
    String hookPoint = ctx.queryParam("hookPoint");
    String layer = ctx.queryParam("layer");
    return new TensorChoice(
        ctx.queryParam("tensor"),
        hookPoint == null ? null : Symbols.choose(HookPoint.class, "hookPoint", hookPoint),
        layer == null ? null : whole("layer", layer));
  }

  /** What the file says of itself, as far as it does; the query says its own things. */
  private static VectorDraft draft(Context ctx, VectorContent content, Origin origin) {
    Map<String, String> said = content.metadata();
    String labelShare = said.get("labelShare");
    return new VectorDraft(
        ctx.queryParam("revision") == null ? said.get("revision") : ctx.queryParam("revision"),
        content.sites(),
        Symbols.choose(SteeringOperation.class, "operation", said.getOrDefault("operation", "ADD")),
        said.getOrDefault("positions", ALL),
        Boolean.parseBoolean(said.get("preserveNorm")),
        new Provenance(
            said.getOrDefault("method", "IMPORTED"),
            said.getOrDefault("dataset", ""),
            said.getOrDefault("datasetHash", ""),
            whole("pairCount", said.getOrDefault("pairCount", "0")),
            said.getOrDefault("items", ""),
            said.getOrDefault("chosenBy", ""),
            said.getOrDefault("balance", ""),
            labelShare == null ? null : number(labelShare)),
        said.getOrDefault("author", origin.actor()),
        Objects.requireNonNullElse(
            ctx.queryParam("description"), said.getOrDefault("description", "")),
        List.of(),
        RequestParts.expectedVersion(ctx));
  }

  private static int whole(String field, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw RefusedException.invalid(field, "'%s' must be a whole number".formatted(text));
    }
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw RefusedException.invalid("labelShare", "'%s' must be a number".formatted(text));
    }
  }
}
