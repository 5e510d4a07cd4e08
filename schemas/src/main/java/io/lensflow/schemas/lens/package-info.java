/** What of the lenses that the records can name this version serves. */
package io.lensflow.schemas.lens;
