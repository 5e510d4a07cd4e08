/** What {@code lensflow demo} shows. */
package io.lensflow.cli.demo;
