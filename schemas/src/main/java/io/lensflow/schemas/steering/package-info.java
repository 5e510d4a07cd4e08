/** What results say about the steering they were produced under. */
package io.lensflow.schemas.steering;
