import DDNVision
