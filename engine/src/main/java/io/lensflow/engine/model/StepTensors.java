package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.model.StepLayout.Span;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A pass's layout on a rank's device.
 *
 * @param ids token ids [N]
 * @param headRows rows that go through the head [M], or null for none
 * @param attention what the attention of every layer is told
 */
record StepTensors(Tensor ids, Tensor headRows, TransformerKernels.Attention attention)
    implements AutoCloseable {
  /**
   * What the attention kernel is told about a span: first row, t, first pool row, s, g, distance.
   */
  private static final int SPAN_FIELDS = 6;

  /**
   * @param kinds per layer 1 if it has a window, else 0
   * @param frequencies inverse rotary frequencies [E/2]
   */
  static StepTensors of(
      StepLayout layout,
      Argument kinds,
      Tensor frequencies,
      DType dtype,
      TensorKernels tensors,
      TransformerKernels kernels) {
    try (Tensor positions = tensors.integers(layout.positions())) {
      return new StepTensors(
          tensors.integers(layout.ids()),
          layout.headRows().length == 0 ? null : tensors.integers(layout.headRows()),
          attention(
              layout, kinds, kernels.rotation(positions, frequencies), dtype, tensors, kernels));
    }
  }

  private static TransformerKernels.Attention attention(
      StepLayout layout,
      Argument kinds,
      Tensor rotation,
      DType dtype,
      TensorKernels tensors,
      TransformerKernels kernels) {
    List<Span> all = layout.spans();
    long[] spans = new long[SPAN_FIELDS * all.size()];
    List<Tensor> gathers = new ArrayList<>();
    List<Tensor> masks = new ArrayList<>();
    try (Tensor none = tensors.emptyOnDevice(dtype, 0)) {
      for (int i = 0; i < all.size(); i++) {
        Span span = all.get(i);
        spans[SPAN_FIELDS * i] = span.row();
        spans[SPAN_FIELDS * i + 1] = span.t();
        spans[SPAN_FIELDS * i + 2] = span.poolStart();
        spans[SPAN_FIELDS * i + 3] = span.s();
        spans[SPAN_FIELDS * i + 4] = span.lengths().length;
        spans[SPAN_FIELDS * i + 5] = span.distance();
        gathers.add(span.gather() == null ? null : tensors.integers(span.gather()));
        masks.add(span.masked() ? tensors.onDevice(mask(span, dtype, kernels)) : null);
      }
      return new TransformerKernels.Attention(
          rotation,
          tensors.integers(layout.poolRows()),
          copies(layout, tensors),
          kinds,
          Argument.of(layout.bounds()),
          Argument.of(spans),
          Argument.of(orElse(gathers, none)),
          Argument.of(orElse(masks, none)));
    } finally {
      gathers.stream().filter(Objects::nonNull).forEach(Tensor::close);
      masks.stream().filter(Objects::nonNull).forEach(Tensor::close);
    }
  }

  private static Argument copies(StepLayout layout, TensorKernels tensors) {
    if (layout.copiesTo().length == 0) {
      return Argument.of(List.of());
    }
    try (Tensor from = tensors.integers(layout.copiesFrom());
        Tensor to = tensors.integers(layout.copiesTo())) {
      return Argument.of(List.of(from, to));
    }
  }

  private static Tensor mask(Span span, DType dtype, TransformerKernels kernels) {
    return span.lengths().length > 1
        ? kernels.lengthMask(span.lengths(), span.s(), dtype)
        : kernels.causalMask(span.t(), span.s(), span.window(), dtype);
  }

  private static List<Tensor> orElse(List<Tensor> tensors, Tensor none) {
    return tensors.stream().map(tensor -> tensor == null ? none : tensor).toList();
  }

  @Override
  public void close() {
    ids.close();
    if (headRows != null) {
      headRows.close();
    }
    attention.rotation().close();
    attention.poolRows().close();
    attention.copies().close();
    attention.bounds().close();
    attention.spans().close();
    attention.gathers().close();
    attention.masks().close();
  }
}
