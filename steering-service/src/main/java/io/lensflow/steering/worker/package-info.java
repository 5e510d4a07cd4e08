/** What live workers say of themselves. */
package io.lensflow.steering.worker;
