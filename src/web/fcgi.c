#include "web/fcgi.h"
