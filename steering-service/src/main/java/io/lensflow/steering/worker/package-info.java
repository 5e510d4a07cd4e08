/** What live workers say of themselves, and of changes that were made. */
package io.lensflow.steering.worker;
