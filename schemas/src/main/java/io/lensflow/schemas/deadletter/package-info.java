/** Records that could not be handled, kept whole. */
package io.lensflow.schemas.deadletter;
