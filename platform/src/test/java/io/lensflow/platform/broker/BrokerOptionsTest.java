package io.lensflow.platform.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BrokerOptionsTest {
  @Test
  void shouldTakeAddressesWhenTheyNameHostAndPort() {
    List<String> addresses = List.of("broker:9092", "[::1]:29092");

    BrokerOptions options = BrokerOptions.temporary().withAdvertised(addresses).withPort(9093);

    assertThat(options.advertised()).isEqualTo(addresses);
    assertThat(BrokerOptions.portOf("[::1]:29092")).isEqualTo(29092);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "broker", ":9092", "broker:", "broker:0", "broker:70000", "a:b"})
  void shouldNameTheAddressWhenItIsNotHostAndPort(String address) {
    assertThatThrownBy(() -> BrokerOptions.temporary().withAdvertised(List.of(address)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("host:port")
        .hasMessageEndingWith(address);
  }
}
