using System.Reflection;

namespace NicHost.Host.Plugins;

/// <summary>Turns what a plugin threw into one line.</summary>
internal static class PluginFault
{
    public static string Describe(Exception e) => e switch
    {
        ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] } => $"A type cannot be loaded: {OneLine(first)} Build it against the host's NicHost.Contracts.",
        TargetInvocationException { InnerException: { } inner } => Describe(inner),
        BadImageFormatException => "Its assembly is not a .NET assembly.",
        _ => $"{e.GetType().Name}: {OneLine(e)}",
    };

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ").Trim();
}
