using System.Reflection.Metadata;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>Custom attributes in metadata: their type's name, and the text that they were given first.</summary>
internal static class AttributeText
{
    private const ushort Prolog = 1; // ECMA-335 II.23.3

    /// <summary>The assembly's attributes by the full name of their type.</summary>
    public static Dictionary<string, string> OfAssembly(MetadataReader reader)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var handle in reader.GetAssemblyDefinition().GetCustomAttributes())
        {
            var attribute = reader.GetCustomAttribute(handle);
            if (Type(reader, attribute) is { Name: "TargetFrameworkAttribute" or "TargetPlatformAttribute" } type && Text(reader, attribute) is { } text)
                found.TryAdd($"{type.Namespace}.{type.Name}", text);
        }
        return found;
    }

    /// <summary>The attribute's type when another assembly defines it.</summary>
    public static (string Assembly, string Namespace, string Name)? Type(MetadataReader reader, CustomAttribute attribute)
    {
        if (attribute.Constructor.Kind != HandleKind.MemberReference) return null;
        var parent = reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent;
        if (parent.Kind != HandleKind.TypeReference) return null;
        var type = reader.GetTypeReference((TypeReferenceHandle)parent);
        if (type.ResolutionScope.Kind != HandleKind.AssemblyReference) return null;
        var assembly = reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope);
        return (reader.GetString(assembly.Name), reader.GetString(type.Namespace), reader.GetString(type.Name));
    }

    /// <summary>The first argument, which the caller knows to be a text.</summary>
    public static string? Text(MetadataReader reader, CustomAttribute attribute)
    {
        var blob = reader.GetBlobReader(attribute.Value);
        return blob.ReadUInt16() == Prolog ? blob.ReadSerializedString() : null;
    }
}
