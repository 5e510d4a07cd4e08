/** What people and programs read: tables, live lines, JSON. */
package io.lensflow.cli.output;
