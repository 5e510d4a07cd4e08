/** Reading what people send as JSON: strictly, and with errors that name the field. */
package io.lensflow.steering.json;
