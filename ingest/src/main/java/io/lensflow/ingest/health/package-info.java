/** Whether the gateway can do its work now. */
package io.lensflow.ingest.health;
