package io.lensflow.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AwaitTest {
  @Test
  void shouldReturnWhenTheConditionComesTrue() {
    AtomicInteger asked = new AtomicInteger();

    Await.until(Duration.ofSeconds(10), () -> asked.incrementAndGet() == 3);

    assertThat(asked).hasValue(3);
  }

  @Test
  void shouldFailByNameWhenTheConditionStaysFalse() {
    assertThatThrownBy(() -> Await.until("the moon", Duration.ofMillis(20), () -> false))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("the moon did not come true");
  }
}
