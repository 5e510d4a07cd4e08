package io.lensflow.bench.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ContrastiveDataTest {
  @ParameterizedTest
  @CsvSource(
      nullValues = "unset",
      value = {"unset, /src/shared", "'', /src/shared", "' ', /src/shared", "/data, /data"})
  void shouldTakeTheFolderBesideTheCheckoutWhenNoneIsNamed(String named, Path expected) {
    assertThat(ContrastiveData.shared(named, Path.of("/src/lensflow"))).isEqualTo(expected);
  }
}
