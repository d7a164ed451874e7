using System.Reflection;

namespace NicHost.Host.Plugins;

/// <summary>Turns what a plugin threw into one line.</summary>
internal static class PluginFault
{
    public static string Describe(Exception e) => e switch
    {
        PluginException => OneLine(e),
        ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] } => $"A type cannot be loaded: {OneLine(first)} Build it anew, against the dependencies that are in its folder.",
        TargetInvocationException { InnerException: { } inner } => Describe(inner),
        TypeInitializationException { InnerException: { } inner } wrapper => $"The static constructor of {wrapper.TypeName} failed: {Describe(inner)}",
        BadImageFormatException => "Its assembly is not a .NET assembly.",
        _ => $"{e.GetType().Name}: {OneLine(e)}",
    };

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ").Trim();
}
