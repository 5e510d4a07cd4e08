/** Ports of this machine. */
package io.lensflow.platform.net;
