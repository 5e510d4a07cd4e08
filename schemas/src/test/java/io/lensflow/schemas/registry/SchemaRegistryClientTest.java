package io.lensflow.schemas.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lensflow.records.ChatMessage;
import io.lensflow.records.PromptRequest;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.avro.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SchemaRegistryClientTest {
  private static final Schema SCHEMA = ChatMessage.getClassSchema();

  private final StubRegistry stub = new StubRegistry();
  private final SchemaRegistryClient client = new SchemaRegistryClient(stub.uri());

  @AfterEach
  void stop() {
    stub.close();
  }

  @Test
  void shouldSetCompatibilityBeforeItRegistersWhenTheSchemaIsNew() {
    int id = client.idOf("chat-value", SCHEMA);

    assertThat(id).isEqualTo(1);
    assertThat(stub.asked)
        .containsExactly(
            "POST /subjects/chat-value",
            "GET /config/chat-value",
            "PUT /config/chat-value",
            "POST /subjects/chat-value/versions");
  }

  @Test
  void shouldOnlyLookUpWhenTheSchemaIsKnown() {
    stub.prepare("POST /subjects/chat-value", 200, "{\"id\": 42, \"version\": 1}");

    assertThat(client.idOf("chat-value", SCHEMA)).isEqualTo(42);
    assertThat(stub.asked).containsExactly("POST /subjects/chat-value");
  }

  @Test
  void shouldLeaveTheCompatibilityAloneWhenSomeoneChoseIt() {
    stub.prepare("GET /config/chat-value", 200, "{\"compatibilityLevel\": \"NONE\"}");

    client.idOf("chat-value", SCHEMA);

    assertThat(stub.asked).doesNotContain("PUT /config/chat-value");
  }

  @Test
  void shouldAskOnceWhenAskedTwice() {
    client.idOf("chat-value", SCHEMA);
    int calls = stub.asked.size();
    client.idOf("chat-value", SCHEMA);
    assertThat(stub.asked).hasSize(calls);

    Schema first = client.schemaOf(1);
    assertThat(client.schemaOf(1)).isSameAs(first);
    assertThat(stub.asked).hasSize(calls + 1);
  }

  @Test
  void shouldRegisterPlainAvroWhenTheClassIsJavas() {
    client.idOf("prompt-requests-value", PromptRequest.getClassSchema());

    Schema registered = client.schemaOf(1);

    assertThat(registered.toString()).doesNotContain("avro.java").contains("UUIDv7, chosen by");
    assertThat(registered.getField("labels").schema().getType()).isEqualTo(Schema.Type.MAP);
    assertThat(registered.getField("requestId").schema())
        .isEqualTo(Schema.create(Schema.Type.STRING));
  }

  @Test
  void shouldTryAgainWhenTheRegistryFailsForAMoment() {
    stub.prepare("GET /schemas/ids/1", 503, "{\"error_code\": 50301, \"message\": \"moment\"}");
    stub.add("\"string\"");

    assertThat(client.schemaOf(1)).isEqualTo(Schema.create(Schema.Type.STRING));
  }

  @Test
  void shouldShowTheRegistrysReasonsWhenTheSchemaIsIncompatible() {
    stub.prepare(
        "POST /subjects/chat-value/versions",
        409,
        "{\"error_code\": 409, \"message\": \"reader lacks a default for 'role'\"}");

    SchemaRegistryException e =
        catchThrowableOfType(
            SchemaRegistryException.class, () -> client.idOf("chat-value", SCHEMA));

    assertThat(e).hasMessageContaining("reader lacks a default for 'role'");
    assertThat(e).hasMessageContaining("chat-value");
    assertThat(e.isIncompatible()).isTrue();
    assertThat(e.isRetryable()).isFalse();
  }

  @Test
  void shouldTellNotFoundFromAWrongAddressWhenTheAnswerIs404() {
    SchemaRegistryException unknown =
        catchThrowableOfType(SchemaRegistryException.class, () -> client.schemaOf(7));
    assertThat(unknown.isNotFound()).isTrue();
    assertThat(unknown).hasMessageContaining("Schema 7 not found");

    stub.prepare("GET /schemas/ids/8", 404, "<html>nothing here</html>");
    SchemaRegistryException wrongAddress =
        catchThrowableOfType(SchemaRegistryException.class, () -> client.schemaOf(8));
    assertThat(wrongAddress.isNotFound()).isFalse();
    assertThat(wrongAddress).hasMessageContaining("404");
  }

  @Test
  void shouldNameTheAddressWhenNobodyAnswers() {
    stub.close();

    SchemaRegistryException e =
        catchThrowableOfType(SchemaRegistryException.class, () -> client.schemaOf(1));

    assertThat(e).hasMessageContaining("Cannot reach the schema registry at " + stub.uri());
    assertThat(e.isRetryable()).isTrue();
    assertThat(e.status()).isZero();
  }

  @Test
  void shouldSendCredentialsButNeverShowThemWhenTheAddressHasThem() {
    URI withUser = URI.create(stub.uri().toString().replace("//", "//ann:secret@"));

    assertThatThrownBy(() -> new SchemaRegistryClient(withUser).schemaOf(1))
        .hasMessageNotContaining("secret");
    String sent = stub.authorization.substring("Basic ".length());
    assertThat(new String(Base64.getDecoder().decode(sent), StandardCharsets.UTF_8))
        .isEqualTo("ann:secret");
  }

  @Test
  void shouldKeepThePathWhenTheRegistryLiesUnderOne() {
    SchemaRegistryClient apicurio =
        new SchemaRegistryClient(URI.create(stub.uri() + "/apis/ccompat/v7/"));
    stub.prepare("GET /apis/ccompat/v7/schemas/ids/3", 200, "{\"schema\": \"\\\"int\\\"\"}");

    assertThat(apicurio.schemaOf(3)).isEqualTo(Schema.create(Schema.Type.INT));
  }

  @Test
  void shouldRefuseTheAddressWhenItIsNone() {
    assertThatThrownBy(() -> new SchemaRegistryClient(URI.create("localhost:8081")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("http://host:8081");
  }
}
