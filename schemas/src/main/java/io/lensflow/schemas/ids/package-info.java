/** Identifiers, and the partition that a key is found in. */
package io.lensflow.schemas.ids;
