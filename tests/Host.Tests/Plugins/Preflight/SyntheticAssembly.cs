using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Tests.Plugins.Preflight;

/// <summary>An assembly with just the metadata that a preflight reads; nothing in it can run.</summary>
internal sealed record SyntheticAssembly(string Name)
{
    private const string Contracts = "NicHost.Contracts";

    public string Version { get; init; } = "1.0.0.0";

    /// <summary>Name to version, beside the contracts and System.Runtime.</summary>
    public IReadOnlyDictionary<string, string> References { get; init; } = new Dictionary<string, string>();

    public string ContractsVersion { get; init; } = typeof(IEndpointFactory).Assembly.GetName().Version!.ToString();

    public string RuntimeVersion { get; init; } = $"{Environment.Version.Major}.0.0.0";

    /// <summary>Type name to endpoint kind.</summary>
    public IReadOnlyList<(string Type, string Kind)> Kinds { get; init; } = [("Factory", "synthetic")];

    /// <summary>Types that are exported for the other MEF.</summary>
    public IReadOnlyList<string> Strangers { get; init; } = [];

    public string? Framework { get; init; } = ".NETCoreApp,Version=v10.0";

    public string? Platform { get; init; }

    public Machine Machine { get; init; } = Machine.I386;

    public CorFlags Flags { get; init; } = CorFlags.ILOnly;

    public byte[] Build()
    {
        var metadata = new MetadataBuilder();
        metadata.AddModule(0, metadata.GetOrAddString($"{Name}.dll"), metadata.GetOrAddGuid(Guid.NewGuid()), default, default);
        metadata.AddAssembly(metadata.GetOrAddString(Name), System.Version.Parse(Version), default, default, default, AssemblyHashAlgorithm.Sha1);
        var runtime = Reference(metadata, "System.Runtime", RuntimeVersion);
        foreach (var (name, version) in References) Reference(metadata, name, version);
        Type(metadata, "<Module>", default);
        var text = TextConstructor(metadata);
        Attribute(metadata, EntityHandle.AssemblyDefinition, runtime, "System.Runtime.Versioning", "TargetFrameworkAttribute", text, Framework);
        Attribute(metadata, EntityHandle.AssemblyDefinition, runtime, "System.Runtime.Versioning", "TargetPlatformAttribute", text, Platform);
        var root = metadata.AddTypeReference(runtime, metadata.GetOrAddString("System"), metadata.GetOrAddString("Object"));
        if (Kinds.Count > 0)
        {
            var contracts = Reference(metadata, Contracts, ContractsVersion);
            foreach (var (type, kind) in Kinds) Attribute(metadata, Type(metadata, type, root), contracts, "NicHost.Contracts.Endpoints", "EndpointKindAttribute", text, kind);
        }
        if (Strangers.Count > 0)
        {
            var other = Reference(metadata, "System.ComponentModel.Composition", "4.0.0.0");
            foreach (var type in Strangers) Attribute(metadata, Type(metadata, type, root), other, "System.ComponentModel.Composition", "ExportAttribute", text, "any");
        }
        var pe = new ManagedPEBuilder(new PEHeaderBuilder(Machine, imageCharacteristics: Characteristics.Dll), new MetadataRootBuilder(metadata), new BlobBuilder(), flags: Flags);
        var image = new BlobBuilder();
        pe.Serialize(image);
        return image.ToArray();
    }

    private static AssemblyReferenceHandle Reference(MetadataBuilder metadata, string name, string version) =>
        metadata.AddAssemblyReference(metadata.GetOrAddString(name), System.Version.Parse(version), default, default, default, default);

    private static TypeDefinitionHandle Type(MetadataBuilder metadata, string name, EntityHandle parent) => metadata.AddTypeDefinition(
        TypeAttributes.Class | TypeAttributes.Public, metadata.GetOrAddString("Synthetic"), metadata.GetOrAddString(name), parent, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));

    /// <summary>Signature of a constructor with one text.</summary>
    private static BlobHandle TextConstructor(MetadataBuilder metadata)
    {
        var signature = new BlobBuilder();
        new BlobEncoder(signature).MethodSignature(isInstanceMethod: true).Parameters(1, result => result.Void(), parameters => parameters.AddParameter().Type().String());
        return metadata.GetOrAddBlob(signature);
    }

    private static void Attribute(MetadataBuilder metadata, EntityHandle on, AssemblyReferenceHandle assembly, string space, string name, BlobHandle constructor, string? text)
    {
        if (text is null) return;
        var type = metadata.AddTypeReference(assembly, metadata.GetOrAddString(space), metadata.GetOrAddString(name));
        var value = new BlobBuilder();
        new BlobEncoder(value).CustomAttributeSignature(fixedArguments => fixedArguments.AddArgument().Scalar().Constant(text), _ => { });
        metadata.AddCustomAttribute(on, metadata.AddMemberReference(type, metadata.GetOrAddString(".ctor"), constructor), metadata.GetOrAddBlob(value));
    }
}
