namespace NicHost.Host.Plugins;

/// <summary>What a plugin cost at the start, in milliseconds.</summary>
/// <param name="Preflight">Reading its metadata.</param>
/// <param name="Load">Its load context and assemblies.</param>
/// <param name="Compose">Its container and factories.</param>
internal readonly record struct PluginTiming(double Preflight, double Load, double Compose);
