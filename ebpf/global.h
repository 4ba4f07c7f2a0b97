/* The kernel checks a static function anew for each way that leads to it, and ways multiply. One that is not static it
 * checks once, for any arguments: therefore each of them asks whether its pointers are any. */
#pragma once

#define GLOBAL __attribute__((noinline))
