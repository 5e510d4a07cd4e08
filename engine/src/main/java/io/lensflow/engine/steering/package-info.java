/** Changing rows by vectors while a sequence runs. */
package io.lensflow.engine.steering;
