package io.lensflow.bench.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChildJvmIT {
  /** Says what it was told, or fails. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
      if (arguments.length == 0) {
        throw new IllegalStateException("nothing to say");
      }
      System.out.println("a warning of some library");
      byte[] touched = new byte[64 << 20];
      java.util.Arrays.fill(touched, (byte) 1);
      System.out.println("peak " + ProcessMemory.peak());
      System.out.println("said " + arguments[0]);
    }
  }

  @Test
  void shouldHandBackWhatTheChildPrints() throws Exception {
    Map<String, Double> values = ChildJvm.run("192m", Map.of(), Child.class, List.of("1.5E-4"));

    assertThat(values).containsOnlyKeys("peak", "said").containsEntry("said", 1.5e-4);
    assertThat(values.get("peak")).isBetween(64e6, 400e6);
  }

  @Test
  void shouldSayWhyTheChildFailed() {
    assertThatThrownBy(() -> ChildJvm.run("32m", Map.of(), Child.class, List.of()))
        .hasMessageContaining("Child failed")
        .hasMessageContaining("nothing to say");
  }
}
