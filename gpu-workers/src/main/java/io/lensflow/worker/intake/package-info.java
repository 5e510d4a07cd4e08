/** Where requests come from, what becomes of them, and when they are acknowledged. */
package io.lensflow.worker.intake;
