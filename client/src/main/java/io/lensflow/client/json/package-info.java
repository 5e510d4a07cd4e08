/**
 * Requests and events as JSON: what the HTTP API takes and streams and what the command line
 * prints, so that both speak of the same fields.
 */
package io.lensflow.client.json;
