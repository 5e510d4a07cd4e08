/**
 * The HTTP gateway: takes requests as JSON, puts them on a topic, and streams what becomes of them
 * as Server-Sent Events. It has no state of its own: any instance serves any request.
 */
package io.lensflow.ingest;
