/** What has become of a request, read from the log when asked. */
package io.lensflow.ingest.state;
