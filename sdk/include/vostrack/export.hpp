#pragma once

// Marks what the library offers. Symbols are hidden otherwise, so that a program may use another
// version of anything inside.
#define VOSTRACK_API __attribute__((visibility("default")))
