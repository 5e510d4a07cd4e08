/** The small languages in which requests name layers and positions. */
package io.lensflow.text.spec;
