/** Reading rows of the residual stream as the model itself would read its last one. */
package io.lensflow.engine.lens;
