package io.lensflow.steering.build;

import java.util.List;

/**
 * What a build sends. Only {@code name}, {@code data} and {@code layers} must be there.
 *
 * @param name name of the vector
 * @param data contrastive items, one JSON object a line
 * @param dataset what to call the data
 * @param layers layer spec, such as {@code 14} or {@code all}
 * @param hookPoints where in the block; absent: {@code ATTENTION_INPUT}
 * @param method a {@link BuildMethod}; absent: {@code MEAN_DIFFERENCE}
 * @param balance a {@link Balance}; absent: {@code LABEL}
 * @param format {@code chat} or {@code plain}; absent: chat
 * @param train items to build from, such as {@code 0-99}; absent: all, or the split's
 * @param split seed of a split, whose train part is taken; absent: none
 * @param publish whether the vector becomes a version; absent: yes. If not, the result holds it
 * @param operation default operation of the version; absent: {@code ADD}
 * @param positions default positions of the version; absent: {@code all}
 * @param preserveNorm default of preserveNorm; absent: no
 * @param author who made it; absent: who asks
 * @param description what it is for; absent: what it was made of
 * @param expectedVersion version that must be the latest then; absent: any
 */
public record BuildRequest(
    String name,
    String data,
    String dataset,
    String layers,
    List<String> hookPoints,
    String method,
    String balance,
    String format,
    String train,
    Long split,
    Boolean publish,
    String operation,
    String positions,
    Boolean preserveNorm,
    String author,
    String description,
    Integer expectedVersion) {}
