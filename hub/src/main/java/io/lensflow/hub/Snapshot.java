package io.lensflow.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What is wanted of one commit, held against what the cache has and what the hub lists. Looks at
 * the disk anew with each call.
 */
final class Snapshot {
  private static final Pattern OTHER_WEIGHTS =
      Pattern.compile(".*\\.(safetensors|bin|pt|pth|ckpt|gguf|ggml|h5|msgpack|onnx|pkl)");
  private static final int NAMED = 4;

  private final CachedModel cache;
  private final ModelId id;
  private final ModelFiles which;
  private final String commit;

  /**
   * @param commit null where the cache does not know the revision
   */
  Snapshot(CachedModel cache, ModelId id, ModelFiles which, String commit) {
    this.cache = cache;
    this.id = id;
    this.which = which;
    this.commit = commit;
  }

  Optional<String> commit() {
    return Optional.ofNullable(commit);
  }

  Path folder() {
    return cache.snapshot(commit);
  }

  /**
   * Files that the cache lacks and without which the model cannot be used, or would not be itself:
   * of what not every model has, that which this commit is known to have.
   */
  List<String> missing() throws HubException {
    if (commit == null) {
      return List.of("everything");
    }
    List<String> missing = new ArrayList<>(which.required());
    if (which.withWeights()) {
      if (cache.has(commit, ModelFiles.INDEX)) {
        missing.addAll(shards());
      } else {
        missing.add(ModelFiles.SINGLE);
      }
    }
    which.optional().stream().filter(file -> cache.lists(commit, file)).forEach(missing::add);
    missing.removeIf(file -> cache.has(commit, file));
    return missing;
  }

  /** Whether nothing is missing, and of all that not every model has it is known. */
  boolean certainlyComplete() throws HubException {
    return missing().isEmpty()
        && which.optional().stream()
            .allMatch(file -> cache.has(commit, file) || cache.lacks(commit, file));
  }

  /**
   * Checks that the hub's files can be used.
   *
   * @throws HubException naming what is missing, or what there is instead
   */
  void check(ModelListing listing) throws HubException {
    for (String file : which.required()) {
      if (!listing.files().contains(file)) {
        throw new HubException(
            "%s has no %s, which is needed; take a model in the layout of transformers"
                .formatted(id, file));
      }
    }
    if (which.withWeights()
        && !listing.files().contains(ModelFiles.SINGLE)
        && !listing.files().contains(ModelFiles.INDEX)) {
      throw new HubException(noWeights(listing));
    }
  }

  private String noWeights(ModelListing listing) {
    List<String> others =
        listing.files().stream()
            .filter(file -> OTHER_WEIGHTS.matcher(file).matches())
            .sorted()
            .toList();
    if (others.isEmpty()) {
      return "%s has no weights; they should be in %s".formatted(id, ModelFiles.SINGLE);
    }
    String named = String.join(", ", others.subList(0, Math.min(NAMED, others.size())));
    return ("%s has its weights as %s%s, which are not read; take a model or a revision with %s, or"
            + " convert it")
        .formatted(id, named, others.size() > NAMED ? ", …" : "", ModelFiles.SINGLE);
  }

  /** The index, which has to be there before it is known which shards belong to the model. */
  List<String> toFetchFirst(ModelListing listing) {
    return which.withWeights() ? absent(Stream.of(ModelFiles.INDEX), listing) : List.of();
  }

  /**
   * All else that the cache lacks.
   *
   * @throws HubException if the index names files that the model does not have
   */
  List<String> toFetch(ModelListing listing) throws HubException {
    List<String> wanted = new ArrayList<>(which.required());
    wanted.addAll(which.optional());
    listing.files().stream().filter(ModelFiles::isNamedTemplate).forEach(wanted::add);
    if (which.withWeights()) {
      List<String> weights =
          listing.files().contains(ModelFiles.INDEX) ? shards() : List.of(ModelFiles.SINGLE);
      for (String shard : weights) {
        if (!listing.files().contains(shard)) {
          throw new HubException(
              "%s of %s names %s, which the model does not have"
                  .formatted(ModelFiles.INDEX, id, shard));
        }
      }
      wanted.addAll(weights);
    }
    return absent(wanted.stream(), listing);
  }

  private List<String> absent(Stream<String> wanted, ModelListing listing) {
    return wanted
        .filter(listing.files()::contains)
        .filter(file -> !cache.has(commit, file))
        .toList();
  }

  private List<String> shards() throws HubException {
    Path index = folder().resolve(ModelFiles.INDEX);
    try {
      JsonNode map = new ObjectMapper().readTree(Files.readAllBytes(index)).path("weight_map");
      TreeSet<String> names = new TreeSet<>();
      for (JsonNode value : map) {
        String name = value.asText();
        if (!name.endsWith(".safetensors") || name.contains("/") || name.contains("\\")) {
          throw new HubException(
              "%s names '%s', which is no safetensors file beside it".formatted(index, name));
        }
        names.add(name);
      }
      if (names.isEmpty()) {
        throw new HubException("%s has no weight_map".formatted(index));
      }
      return List.copyOf(names);
    } catch (JsonProcessingException e) {
      throw new HubException("%s is not JSON: %s".formatted(index, e.getOriginalMessage()), e);
    } catch (HubException e) {
      throw e;
    } catch (IOException e) {
      throw new HubException("%s cannot be read: %s".formatted(index, e), e);
    }
  }
}
