/* NVIDIA's management library as far as it is asked here: two GPUs, busy as the file NVML_BUSY says (percent). */

#include <stdio.h>
#include <stdlib.h>

typedef struct { unsigned int gpu, memory; } rates_t;
typedef struct { unsigned long long total, free, used; } memory_t;

int nvmlInit_v2(void) { return 0; }

int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) {
    *handle = (void *)(unsigned long)(index + 1);
    return index > 1;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) { (void)uuid; (void)handle; return 6; }

int nvmlDeviceGetUtilizationRates(void *device, rates_t *rates) {
    FILE *file = fopen(getenv("NVML_BUSY"), "r");
    (void)device;
    if (!file) return 1;
    rates->gpu = 0;
    if (fscanf(file, "%u", &rates->gpu) != 1) rates->gpu = 0;
    fclose(file);
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    (void)device;
    memory->used = 1ull << 30;
    return 0;
}
