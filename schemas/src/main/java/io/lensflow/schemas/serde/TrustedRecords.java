package io.lensflow.schemas.serde;

import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.util.ClassSecurityValidator;

/**
 * Tells Avro that it may make instances of our records.
 *
 * <p>Avro makes objects only of classes that the process trusts, and by default that is nearly
 * none: without this, building or reading a record fails with a {@code SecurityException}. A system
 * property would have to be given to every process, users' own included. Avro looks up logical
 * types as services before it parses its first schema, which every record class does when it is
 * loaded; so this class, a service that offers a logical type which nobody uses, is always there in
 * time.
 */
public final class TrustedRecords implements LogicalTypes.LogicalTypeFactory {
  private static final String PACKAGE = "io.lensflow.records";

  static {
    ClassSecurityValidator.setGlobal(
        ClassSecurityValidator.composite(
            ClassSecurityValidator.getGlobal(), type -> type.getPackageName().equals(PACKAGE)));
  }

  @Override
  public LogicalType fromSchema(Schema schema) {
    return new LogicalType(getTypeName());
  }

  @Override
  public String getTypeName() {
    return "lensflow-trusted-records";
  }
}
