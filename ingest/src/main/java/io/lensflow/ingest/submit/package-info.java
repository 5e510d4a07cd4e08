/** From a JSON body to an acknowledged record: checks against live models, and sending. */
package io.lensflow.ingest.submit;
