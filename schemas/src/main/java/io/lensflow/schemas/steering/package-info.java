/** What results say about steering, and which vectors can be used. */
package io.lensflow.schemas.steering;
