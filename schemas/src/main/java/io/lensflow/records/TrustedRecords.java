package io.lensflow.records;

import org.apache.avro.util.ClassSecurityValidator;
import org.apache.avro.util.ClassSecurityValidator.ClassSecurityPredicate;

/**
 * Tells Avro that the records of this package may be instantiated. Avro loads classes by the names
 * that schemas give, and since 1.12 refuses all that nobody vouched for. Every generated record
 * asks for this before it does anything, so that no program has to set a system property.
 */
final class TrustedRecords {
  static {
    ClassSecurityPredicate ours =
        type -> type.getPackageName().equals(TrustedRecords.class.getPackageName());
    ClassSecurityValidator.setGlobal(
        ClassSecurityValidator.composite(ClassSecurityValidator.getGlobal(), ours));
  }

  private TrustedRecords() {}

  /** Has its effect the first time, when this class is initialised. */
  static void grant() {}
}
